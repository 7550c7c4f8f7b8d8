"""What is wrong with a network's files, before anything is written or believed."""

from consortium.kernel.errors import ConflictError, InvalidInputError


class MembersFileError(InvalidInputError):
    """The members file cannot become a network; the message names the place and the remedy."""

    code = "members_file"


class EnodeError(InvalidInputError):
    """A node's address or public key is not one."""

    code = "enode"


class AllowListError(InvalidInputError):
    """A permissions file is not in the form that Besu reads and writes."""

    code = "allow_list"


class HeaderError(InvalidInputError):
    """A block's header is not one of a QBFT network."""

    code = "qbft_header"


class FolderNotEmptyError(ConflictError):
    """There is something where the network's files should be written; nothing was touched."""

    code = "folder_not_empty"


class NodeNotInSyncError(ConflictError):
    """A validator would be activated whose node nobody sees connected and in sync; nothing was relayed."""

    code = "node_not_in_sync"
