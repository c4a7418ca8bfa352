"""The package's loggers."""

import logging

#: Statements of connections, cursors and pools made with ``echo=True`` are logged here, at INFO.
logger: logging.Logger = logging.getLogger("aiomysql")

#: What a pool meets in the background, where no caller can be told: at WARNING.
pool_logger: logging.Logger = logging.getLogger("aiomysql.pool")
