"""Run the scenarios under the library that this Python has, and print what happened as JSON.

python -m tests.compat.run mariadb mysql://user:password@host:port/db [area[/case] …]
"""

from __future__ import annotations

import asyncio
import fnmatch
import json
import os
import sys
import warnings
from typing import Any

from tests.compat.recorder import Api, Case, scrub
from tests.compat.scenarios import all_cases
from tests.servers.address import Address

#: Seconds that a scenario may take; one that hangs is written down as that.
PATIENCE = 20.0


def main() -> None:
    # The library reads its private switch when it is imported.
    if os.environ.get("AIOMYSQL_TEST_DRIVER"):
        os.environ["AIOMYSQL_DRIVER"] = os.environ["AIOMYSQL_TEST_DRIVER"]
    vendor, url, *wanted = sys.argv[1:]
    cases = [case for case in all_cases() if _is_wanted(case, wanted)]
    work = _run(vendor, Address.parse(url), cases)
    if os.environ.get("AIOMYSQL_TEST_LOOP") == "uvloop":
        import uvloop

        transcripts = uvloop.run(work)
    else:
        transcripts = asyncio.run(work)
    json.dump(transcripts, sys.stdout)


def _is_wanted(case: Case, wanted: list[str]) -> bool:
    name = f"{case.area}/{case.name}"
    return not wanted or any(
        name.startswith(prefix) or fnmatch.fnmatch(name, prefix) for prefix in wanted
    )


async def _run(vendor: str, address: Address, cases: list[Case]) -> dict[str, list[list[str]]]:
    import aiomysql

    database = f"compat_{os.getpid()}"
    arguments = address.connect_kwargs()
    await _administer(arguments, f"CREATE DATABASE {database} CHARACTER SET utf8mb4")
    arguments["db"] = database
    try:
        transcripts = {}
        for case in cases:
            api = Api(aiomysql, arguments, vendor)
            await _run_case(case, api)
            replacements = {database: "<db>", str(address.port): "<port>"}
            transcripts[f"{case.area}/{case.name}"] = scrub(api.steps, replacements)
        return transcripts
    finally:
        await _administer(arguments, f"DROP DATABASE {database}")


async def _administer(arguments: dict[str, Any], sql: str) -> None:
    import aiomysql

    connection = await aiomysql.connect(**{**arguments, "autocommit": True})
    await connection.query(sql)
    connection.close()


async def _run_case(case: Case, api: Api) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            await asyncio.wait_for(case.work(api), PATIENCE)
        except asyncio.TimeoutError:
            api.note("hangs", "")
        except Exception as error:
            api.note("ends with", error)
        for warning in seen:
            if not issubclass(warning.category, ResourceWarning):
                api.note("warning", f"{warning.category.__name__}: {warning.message}")
        try:
            await asyncio.wait_for(api.clean_up(), PATIENCE)
        except Exception as error:
            api.note("cleaning up", error)


if __name__ == "__main__":
    main()
