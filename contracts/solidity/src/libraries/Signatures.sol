// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Signatures of members' keys
/// @notice Keys of members are plain accounts. Contract wallets (ERC-1271) are left out on purpose: their answer may
/// change after the act, and a call into foreign code would run in the middle of a round.
library Signatures {
    /// @notice Whether `signature` (65 bytes, low s) over `digest` is by `signer`; never for the zero address, which ECDSA
    /// recovers with an error only.
    function isBy(bytes calldata signature, address signer, bytes32 digest) internal pure returns (bool) {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        return failure == ECDSA.RecoverError.NoError && recovered == signer;
    }
}
