// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuditAnchor} from "../src/AuditAnchor.sol";
import {ConsentAnchor} from "../src/ConsentAnchor.sol";
import {IAuditAnchor} from "../src/interfaces/IAuditAnchor.sol";
import {IConsentAnchor} from "../src/interfaces/IConsentAnchor.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {Neighbors} from "./support/Neighbors.sol";
import {Symbolic} from "./support/Symbolic.sol";

/// @notice What members anchor, from any state by any call: numbers go on by one, sizes grow, and each call is about one.
contract AnchorsSymbolic is Symbolic {
    ConsentAnchor private consents;
    AuditAnchor private audits;

    function setUp() public {
        Neighbors neighbors = new Neighbors();
        consents = new ConsentAnchor(IConsortiumRegistry(address(neighbors)));
        audits = new AuditAnchor(IConsortiumRegistry(address(neighbors)));
        svm.enableSymbolicStorage(address(neighbors));
        svm.enableSymbolicStorage(address(consents));
        svm.enableSymbolicStorage(address(audits));
    }

    function check_consents_go_on_by_one_and_epochs_never_back(bytes32 organization, uint64 time) public {
        vm.warp(time);
        IConsentAnchor.ConsentState memory before = consents.stateOf(organization);
        vm.assume(isTaken(address(consents), svm.createCalldata("ConsentAnchor")));
        IConsentAnchor.ConsentState memory later = consents.stateOf(organization);
        if (later.seq == before.seq) {
            assert(keccak256(abi.encode(before)) == keccak256(abi.encode(later)));
            return;
        }
        assert(later.seq == before.seq + 1);
        assert(later.epoch == before.epoch || later.epoch == before.epoch + 1);
        assert(later.asOf >= before.asOf);
        bool isNewEpoch = later.epoch != before.epoch;
        assert(isNewEpoch ? later.revoked == 0 && later.root != 0 : later.revoked > before.revoked);
        assert(isNewEpoch || (later.root == before.root && later.band == before.band));
    }

    function check_an_audit_log_grows_only(bytes32 log, uint64 time) public {
        vm.warp(time);
        IAuditAnchor.Anchored memory before = audits.latestOf(log);
        vm.assume(isTaken(address(audits), svm.createCalldata("AuditAnchor")));
        IAuditAnchor.Anchored memory later = audits.latestOf(log);
        assert(later.size > before.size || keccak256(abi.encode(before)) == keccak256(abi.encode(later)));
    }
}
