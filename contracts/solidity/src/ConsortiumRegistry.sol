// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {DecisionKind, DecisionRule} from "./interfaces/DecisionRules.sol";
import {IConsortiumRegistry} from "./interfaces/IConsortiumRegistry.sol";
import {IValidatorSource} from "./interfaces/IValidatorSource.sol";
import {SortedAddresses} from "./libraries/SortedAddresses.sol";
import {Governed} from "./registry/Governed.sol";
import {Organizations} from "./registry/Organizations.sol";
import {ValidatorSeats} from "./registry/ValidatorSeats.sol";

/// @title Registry of a consortium
/// @dev Assembles the parts in ./registry; the constructor founds the consortium.
contract ConsortiumRegistry is Organizations {
    using SortedAddresses for address[];

    /// @param governance The timelock.
    /// @param source The list of validators; it must hold exactly the founders' nodes.
    /// @param founders The first organizations; a founder without a node gives zero.
    /// @param rules The numbers of ApprovePlan, ReleaseModel, RecallModel, GrantLicence, in this order.
    /// @param runners Digests of the runners accepted from the start, at most MAX_FOUNDING_RUNNERS; later ones by vote.
    constructor(
        address governance,
        IValidatorSource source,
        Admission[] memory founders,
        DecisionRule[4] memory rules,
        Parameters memory initialParameters,
        bytes32 policy,
        bytes32[] memory runners
    ) EIP712("ConsortiumRegistry", "1") Governed(governance) ValidatorSeats(source) {
        require(founders.length != 0, RegistryNoFounders());
        _setParameters(initialParameters);
        _setPolicy(policy);
        _acceptRunners(runners);
        for (uint256 i = 0; i < rules.length; ++i) {
            _setDecisionRule(DecisionKind(i + 1), rules[i]);
        }
        _found(founders, initialParameters.minimumValidators);
    }

    /// @dev Keys are unique, so equal numbers and containment mean equal sets.
    function _found(Admission[] memory founders, uint256 minimum) private {
        address[] memory seats = _validators();
        require(seats.length >= minimum, RegistryTooFewValidators(seats.length, minimum));
        uint256 seated = 0;
        for (uint256 i = 0; i < founders.length; ++i) {
            _admit(founders[i]);
            if (founders[i].validator == address(0)) continue;
            require(seats.contains(founders[i].validator), RegistryValidatorMismatch(founders.length, seats.length));
            _markFounding(founders[i].id);
            ++seated;
        }
        require(seated == seats.length, RegistryValidatorMismatch(seated, seats.length));
    }
}
