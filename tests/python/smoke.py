"""Calls the shared library through ctypes, as a language without a binding of its own would."""

import ctypes
import sys


def load(path):
    """Opens the library and declares what is called here as pool.h declares it."""
    pool = ctypes.CDLL(path)
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    for name, result, arguments in [
        ("pool_create", pointer, [size, size]),
        ("pool_allocate", pointer, [pointer]),
        ("pool_deallocate", ctypes.c_int32, [pointer, pointer]),
        ("pool_destroy", ctypes.c_int32, [pointer]),
        ("pool_in_use", size, [pointer]),
        ("pool_block_size", size, [pointer]),
        ("pool_version", ctypes.c_uint32, []),
        ("pool_status_string", ctypes.c_char_p, [ctypes.c_int32]),
        ("pool_set_log_callback", None, [LOG_CALLBACK, pointer, ctypes.c_int32]),
    ]:
        function = getattr(pool, name)
        function.restype, function.argtypes = result, arguments
    return pool


LOG_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p)


def main(path, version):
    lib = load(path)
    lines = []
    callback = LOG_CALLBACK(lambda _data, level, message: lines.append((level, message.decode())))
    lib.pool_set_log_callback(callback, None, 2)

    number = lib.pool_version()
    assert f"{number // 10000}.{number // 100 % 100}.{number % 100}" == version, number

    handle = lib.pool_create(64, 1000)
    blocks = [lib.pool_allocate(handle) for _ in range(1000)]
    assert len(set(blocks)) == 1000 and all(blocks)
    assert lib.pool_allocate(handle) is None
    for place, block in enumerate(blocks):
        ctypes.memset(block, place % 256, lib.pool_block_size(handle))
    for place, block in enumerate(blocks):
        assert ctypes.string_at(block, 64) == bytes([place % 256]) * 64

    assert lib.pool_deallocate(handle, blocks[3] + 1) == 7
    assert lib.pool_deallocate(handle, 0x1234) == 6
    for block in blocks:
        assert lib.pool_deallocate(handle, block) == 0
    assert lib.pool_deallocate(handle, blocks[0]) == 8
    assert lib.pool_in_use(handle) == 0
    assert [level for level, _ in lines] == [1, 1, 1], lines
    assert "double free" in lines[2][1]

    assert lib.pool_destroy(handle) == 0
    assert lib.pool_destroy(handle) == 11
    assert lib.pool_status_string(11) == b"the handle is no live pool"
    print("Python works with memory_pool", version)


if __name__ == "__main__":
    main(*sys.argv[1:])
