"""What tests of the rooms are given: a new migrated database each, from a template."""

from cluster import connections
from support import databases


async def migrate(dsn, folder):
    """Stands for a room's migrations, so that the cluster is tested without any room."""
    connection = await connections.connect(dsn)
    try:
        await connection.execute("create table notes (note text)")
        await connection.execute("grant select, insert on notes to sample")
        await connection.execute("create table plumbing (word text)")
        role = await connection.fetchval("select current_database()")
        await connection.execute(f'grant select, insert on plumbing to "{role}"')
    finally:
        await connection.close()
    migrated.append(str(folder))


migrated: list[str] = []


async def test_each_database_is_new_migrated_once_and_run_by_the_rooms_role(server_run, postgres):
    first = await server_run.fresh_database("sample", migrate)
    second = await server_run.fresh_database("sample", migrate)
    assert first != second
    assert len(migrated) <= 1
    connection = await connections.connect(first)
    try:
        await connection.execute("insert into notes (note) values ('kept')")
        await connection.execute("insert into plumbing (word) values ('granted')")
        assert await connection.fetchval("select current_user") == "sample"
    finally:
        await connection.close()
    other = await connections.connect(second)
    try:
        assert await other.fetchval("select count(*) from notes") == 0
    finally:
        await other.close()
    owner = await connections.connect(databases.owner_dsn(server_run.folder, first))
    try:
        assert await owner.fetchval("select current_user") == "sample_owner"
    finally:
        await owner.close()


async def test_servers_of_the_run_are_ready(servers):
    connection = await connections.connect(servers.dsn("postgres", "postgres"))
    try:
        assert await connection.fetchval("select 1") == 1
    finally:
        await connection.close()
    await connections.carry_record(servers.bootstrap)
