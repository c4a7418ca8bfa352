"""The errors of ``aiomysql.sa``; those of the driver keep their own classes."""


class Error(Exception):
    """Base of every error that ``aiomysql.sa`` raises by itself."""


class ArgumentError(Error):
    """A call was given arguments that do not fit together, or that nothing here understands."""


class InvalidRequestError(ArgumentError):
    """The call was well formed, but the object is not in a state to serve it."""


class NoSuchColumnError(KeyError, InvalidRequestError):
    """A row was asked for a column that it does not have."""


class ResourceClosedError(InvalidRequestError):
    """A result or a connection was used after it had been closed."""
