"""Errors of the embedded services, each with its remedy."""

from consortium.kernel.errors import ConsiliumError


class EmbeddedError(ConsiliumError):
    """An embedded service cannot be set up or started."""

    code = "embedded_service"
    http_status = 503


class InstanceInUseError(EmbeddedError):
    """Another process holds this instance's folder."""

    code = "instance_in_use"


class PortInUseError(EmbeddedError):
    """A port that was asked for is taken."""

    code = "port_in_use"


class MissingBinaryError(EmbeddedError):
    """A program that a wheel or an npm package should bring is not there."""

    code = "missing_binary"


class ServiceDiedError(EmbeddedError):
    """A service ended while it was starting or serving."""

    code = "service_died"


class DiskFullError(EmbeddedError):
    """Too little room is left in the instance's folder."""

    code = "disk_full"


class ChainStateLostError(EmbeddedError):
    """The development chain's file is half written, and there is no copy."""

    code = "chain_state_lost"
