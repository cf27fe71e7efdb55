"""Page templates are compiled once in a process, however many applications are made in it.

The console shares the customers' page parts, and a process of tests makes an application for each test.
"""

import jinja2
from jinja2.bccache import Bucket


class CompiledOnce(jinja2.BytecodeCache):
    """Jinja's compiled templates by name, path and content, for the life of the process."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        code = self._codes.get((bucket.key, bucket.checksum))
        if code is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


COMPILED = CompiledOnce()
