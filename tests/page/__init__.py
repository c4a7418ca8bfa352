"""docs/servers.md, a page that the tests write: what each server did, and what was not tried."""
