"""YAML as a form that people fill in: no key twice, no aliases, no tags, nothing but plain values."""

from typing import Any

import yaml

from contracts.network.errors import MembersFileError

MAX_BYTES = 2**20


class _StrictLoader(yaml.SafeLoader):
    """PyYAML takes the last of two equal keys in silence, and aliases can grow a small file without bound."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # the stubs leave it out
            raise yaml.composer.ComposerError(None, None, "write it out: aliases are not read", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                said = f"{key.value!r} stands twice" if isinstance(key, yaml.ScalarNode) else "a key is a plain word"
                raise yaml.constructor.ConstructorError(None, None, said, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(content: bytes) -> Any:
    """The plain value of one YAML document.

    Raises
    ------
    MembersFileError
        With the line, if it is not YAML or uses more than plain values.
    """
    if len(content) > MAX_BYTES:
        raise MembersFileError("The members file is larger than 1 MiB. Is it the right file?")
    try:
        return yaml.load(content.decode(), Loader=_StrictLoader)  # noqa: S506  a SafeLoader, made stricter
    except UnicodeDecodeError as error:
        raise MembersFileError("The members file is not UTF-8. Save it as UTF-8 text.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise MembersFileError(f"The members file is not plain YAML{_place(error)}. Correct that line.") from error


def _place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None)
    return (f", line {mark.line + 1}" if mark else "") + (f": {problem}" if problem else "")
