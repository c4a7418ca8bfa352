"""asyncio access to MySQL and MariaDB, on a native driver."""
