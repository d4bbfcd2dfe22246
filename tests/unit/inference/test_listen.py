"""The REST port."""

from __future__ import annotations

import asyncio
import socket

import pytest

from inference.listen import ListenError, address, listener
from infra.local.ports import free_port


def test_answers_do_not_wait_for_acknowledgements() -> None:
    async def no_delay() -> int:
        connected: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            connected.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        opened = listener("127.0.0.1", free_port())
        async with await asyncio.start_server(accept, sock=opened):
            _, writer = await asyncio.open_connection(*opened.getsockname())
            found = await connected
            writer.close()
            return found

    assert asyncio.run(no_delay()) != 0


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_a_host_that_is_not_this_machines_is_named(host: str) -> None:
    with pytest.raises(ListenError, match=f"cannot listen on {host}:8080"):
        listener(host, 8080)


def test_ipv6_hosts_stand_in_brackets() -> None:
    assert (address("::1", 8081), address("127.0.0.1", 8081)) == ("[::1]:8081", "127.0.0.1:8081")
