// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Decisions} from "./Decisions.sol";

/// @notice Epochs and revocations, signed as sites sign them.
abstract contract Consents is Decisions {
    function anchor(uint256 member, uint64 epoch, bytes32 root, uint32 band, uint64 seq) internal {
        anchorAsOf(member, epoch, root, band, seq, now64());
    }

    function anchorAsOf(uint256 member, uint64 epoch, bytes32 root, uint32 band, uint64 seq, uint64 asOf) internal {
        bytes memory signature = epochSignature(siteSecret(member), member, epoch, root, band, seq, asOf);
        consents.anchorEpoch(idOf(member), epoch, root, band, seq, asOf, signature);
    }

    function revoke(uint256 member, uint64 epoch, uint64 seq, bytes32[] memory list) internal {
        bytes memory signature = revocationSignature(siteSecret(member), member, epoch, seq, list);
        consents.revokeConsents(idOf(member), epoch, seq, list, signature);
    }

    function epochSignature(
        uint256 secret,
        uint256 member,
        uint64 epoch,
        bytes32 root,
        uint32 band,
        uint64 seq,
        uint64 asOf
    ) internal view returns (bytes memory) {
        bytes32 typehash = keccak256(
            "AnchorEpoch(bytes32 organization,uint64 epoch,bytes32 root,uint32 band,uint64 seq,uint64 asOf)"
        );
        bytes32 structHash = keccak256(abi.encode(typehash, idOf(member), epoch, root, band, seq, asOf));
        return signWith(secret, "ConsentAnchor", address(consents), structHash);
    }

    function revocationSignature(uint256 secret, uint256 member, uint64 epoch, uint64 seq, bytes32[] memory list)
        internal
        view
        returns (bytes memory)
    {
        bytes32 typehash = keccak256("RevokeConsents(bytes32 organization,uint64 epoch,uint64 seq,bytes32[] subjects)");
        bytes32 listDigest = keccak256(abi.encodePacked(list));
        bytes32 structHash = keccak256(abi.encode(typehash, idOf(member), epoch, seq, listDigest));
        return signWith(secret, "ConsentAnchor", address(consents), structHash);
    }

    function subjects(uint256 count) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = keccak256(abi.encode("subject", i));
        }
    }

    function now64() internal view returns (uint64) {
        return uint64(block.timestamp);
    }
}
