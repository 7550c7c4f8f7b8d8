// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {Consortium} from "./support/Consortium.sol";

contract RegistryKeysTest is Consortium {
    IConsortiumRegistry.KeyPurpose private constant VOTE = IConsortiumRegistry.KeyPurpose.Vote;
    IConsortiumRegistry.KeyPurpose private constant SITE = IConsortiumRegistry.KeyPurpose.Site;
    IConsortiumRegistry.KeyPurpose private constant VALIDATOR = IConsortiumRegistry.KeyPurpose.Validator;

    function test_vote_follows_the_rotated_vote_key() public {
        address fresh = vm.addr(77);
        rotate(0, VOTE, fresh);
        assertEq(registry.keyOf(idOf(0), VOTE), fresh);
        assertEq(registry.getVotes(fresh), 1);
        assertEq(registry.getVotes(vm.addr(voteSecret(0))), 0);
        assertEq(registry.activeCount(), FOUNDERS);
        (bytes32 holder, IConsortiumRegistry.KeyPurpose purpose) = registry.organizationOf(fresh);
        assertEq(holder, idOf(0));
        assertTrue(purpose == VOTE);
    }

    function test_site_key_rotates_by_signature_of_the_vote_key() public {
        rotate(0, SITE, vm.addr(78));
        assertEq(registry.keyOf(idOf(0), SITE), vm.addr(78));
        assertEq(registry.getVotes(vm.addr(voteSecret(0))), 1);
    }

    function test_retired_key_never_comes_back_for_anybody() public {
        address old = vm.addr(voteSecret(0));
        rotate(0, VOTE, vm.addr(77));
        bytes memory signature = rotation(1, VOTE, old, 0);
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryKeyTaken.selector, old));
        registry.rotateKey(idOf(1), VOTE, old, type(uint64).max, signature);
        assertEq(registry.keyOf(idOf(1), VOTE), vm.addr(voteSecret(1)));
    }

    function test_rotation_is_refused_when_replayed_expired_or_signed_by_another() public {
        bytes memory signature = rotation(0, SITE, vm.addr(78), 0);
        registry.rotateKey(idOf(0), SITE, vm.addr(78), type(uint64).max, signature);
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryBadSignature.selector, idOf(0)));
        registry.rotateKey(idOf(0), SITE, vm.addr(78), type(uint64).max, signature);

        signature = rotation(1, SITE, vm.addr(79), 0);
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryBadSignature.selector, idOf(2)));
        registry.rotateKey(idOf(2), SITE, vm.addr(79), type(uint64).max, signature);

        uint64 past = uint64(block.timestamp - 1);
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistrySignatureExpired.selector, past));
        registry.rotateKey(idOf(1), SITE, vm.addr(79), past, signature);
        assertEq(registry.keyOf(idOf(1), SITE), vm.addr(siteSecret(1)));
    }

    function test_site_key_cannot_rotate_anything() public {
        bytes32 structHash = rotationHash(0, SITE, vm.addr(78), 0);
        bytes memory signature = signWith(siteSecret(0), "ConsortiumRegistry", address(registry), structHash);
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryBadSignature.selector, idOf(0)));
        registry.rotateKey(idOf(0), SITE, vm.addr(78), type(uint64).max, signature);
    }

    function test_validator_address_changes_by_vote_only_and_in_one_step() public {
        address fresh = vm.addr(80);
        bytes memory signature = rotation(0, VALIDATOR, fresh, 0);
        vm.expectRevert(abi.encodeWithSelector(IConsortiumRegistry.RegistryKeyPurposeRefused.selector, VALIDATOR));
        registry.rotateKey(idOf(0), VALIDATOR, fresh, type(uint64).max, signature);

        asGovernance();
        registry.replaceKey(idOf(0), VALIDATOR, fresh);
        address[] memory seats = source.getValidators();
        assertEq(seats.length, 5);
        bool isSeated = false;
        for (uint256 i = 0; i < seats.length; ++i) {
            assertFalse(seats[i] == validatorOf(0));
            isSeated = isSeated || seats[i] == fresh;
        }
        assertTrue(isSeated);
    }

    function test_suspended_organization_recovers_its_vote_key_by_vote_and_stays_silent() public {
        asGovernance();
        registry.suspend(idOf(0));
        bytes memory signature = rotation(0, VOTE, vm.addr(77), 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IConsortiumRegistry.RegistryWrongStatus.selector,
                idOf(0),
                IConsortiumRegistry.OrganizationStatus.Suspended
            )
        );
        registry.rotateKey(idOf(0), VOTE, vm.addr(77), type(uint64).max, signature);

        asGovernance();
        registry.replaceKey(idOf(0), VOTE, vm.addr(77));
        assertEq(registry.getVotes(vm.addr(77)), 0);
        asGovernance();
        registry.reinstate(idOf(0));
        assertEq(registry.getVotes(vm.addr(77)), 1);
    }

    function test_key_of_no_purpose_and_of_a_stranger_are_refused() public {
        asGovernance();
        vm.expectRevert(
            abi.encodeWithSelector(
                IConsortiumRegistry.RegistryKeyPurposeRefused.selector, IConsortiumRegistry.KeyPurpose.None
            )
        );
        registry.replaceKey(idOf(0), IConsortiumRegistry.KeyPurpose.None, vm.addr(77));
        asGovernance();
        vm.expectRevert(
            abi.encodeWithSelector(
                IConsortiumRegistry.RegistryWrongStatus.selector,
                idOf(OUTSIDER),
                IConsortiumRegistry.OrganizationStatus.None
            )
        );
        registry.replaceKey(idOf(OUTSIDER), SITE, vm.addr(77));
        assertEq(registry.keyOf(idOf(OUTSIDER), SITE), address(0));
    }

    function rotate(uint256 member, IConsortiumRegistry.KeyPurpose purpose, address fresh) private {
        bytes memory signature = rotation(member, purpose, fresh, registry.nonceOf(idOf(member)));
        registry.rotateKey(idOf(member), purpose, fresh, type(uint64).max, signature);
    }

    function rotation(uint256 member, IConsortiumRegistry.KeyPurpose purpose, address fresh, uint256 nonce)
        private
        view
        returns (bytes memory)
    {
        bytes32 structHash = rotationHash(member, purpose, fresh, nonce);
        return signWith(voteSecret(member), "ConsortiumRegistry", address(registry), structHash);
    }

    function rotationHash(uint256 member, IConsortiumRegistry.KeyPurpose purpose, address fresh, uint256 nonce)
        private
        pure
        returns (bytes32)
    {
        bytes32 typehash = keccak256(
            "RotateKey(bytes32 organization,uint8 purpose,address newKey,uint256 nonce,uint64 deadline)"
        );
        return keccak256(abi.encode(typehash, idOf(member), purpose, fresh, nonce, type(uint64).max));
    }
}
