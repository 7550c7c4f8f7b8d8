// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortiumRegistry} from "../../src/interfaces/IConsortiumRegistry.sol";
import {Test} from "./Test.sol";

/// @notice Made-up organizations by number, their keys, and signatures under them. Digests are computed here from the
/// EIP-712 text alone, not by the contracts' own code.
abstract contract Members is Test {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    function idOf(uint256 member) internal pure returns (bytes32) {
        return bytes32(bytes16(keccak256(abi.encode("organization", member))));
    }

    function voteSecret(uint256 member) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("vote", member))) >> 1;
    }

    function siteSecret(uint256 member) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("site", member))) >> 1;
    }

    function validatorOf(uint256 member) internal pure returns (address) {
        return vm.addr(uint256(keccak256(abi.encode("validator", member))) >> 1);
    }

    function admissionOf(uint256 member) internal pure returns (IConsortiumRegistry.Admission memory) {
        return IConsortiumRegistry.Admission({
            id: idOf(member),
            voteKey: vm.addr(voteSecret(member)),
            siteKey: vm.addr(siteSecret(member)),
            validator: validatorOf(member),
            profile: keccak256(abi.encode("profile", member))
        });
    }

    function signWith(uint256 secret, string memory name, address target, bytes32 structHash)
        internal
        view
        returns (bytes memory)
    {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(secret, typedDigest(name, target, structHash));
        return abi.encodePacked(r, s, v);
    }

    function typedDigest(string memory name, address target, bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain =
            keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256(bytes(name)), keccak256("1"), block.chainid, target));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function ascending(address[] memory list) internal pure returns (address[] memory) {
        for (uint256 i = 1; i < list.length; ++i) {
            for (uint256 j = i; j > 0 && list[j] < list[j - 1]; --j) {
                (list[j], list[j - 1]) = (list[j - 1], list[j]);
            }
        }
        return list;
    }
}
