"""The package's logger."""

import logging

#: Statements of connections, cursors and pools made with ``echo=True`` are logged here, at INFO.
logger: logging.Logger = logging.getLogger("aiomysql")
