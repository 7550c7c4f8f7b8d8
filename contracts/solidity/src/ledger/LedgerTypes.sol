// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @dev The types of everything signed about a round. The contract checks Commitment, RoundResult and CancelRun; sites
/// exchange SurvivorSet and ShareDeal among themselves under the same domain.
abstract contract LedgerTypes is EIP712 {
    /// @notice Signed by the site key, to take part in one attempt.
    bytes32 public constant COMMITMENT_TYPEHASH = keccak256(
        "Commitment(bytes32 run,uint32 round,uint32 attempt,bytes32 organization,bytes32 plan,bytes32 weights,bytes32 cohortRoot,uint32 band,uint64 epoch,uint64 seq,uint64 asOf,uint64 blockNumber,bytes32 blockHash,bytes32 maskKeys,bytes32 privacyEvent,uint64 validUntilBlock)"
    );
    /// @notice Signed by a verifier's site key, after recomputing aggregate and strategy step.
    bytes32 public constant ROUND_RESULT_TYPEHASH = keccak256(
        "RoundResult(bytes32 run,uint32 round,uint32 attempt,uint256 survivors,bytes32 maskedDigests,bytes32 aggregate,bytes32 nextWeights)"
    );
    /// @notice Off chain: a site agrees to one survivor set an attempt.
    bytes32 public constant SURVIVOR_SET_TYPEHASH = keccak256(
        "SurvivorSet(bytes32 run,uint32 round,uint32 attempt,bytes32 roster,uint256 survivors,bytes32 maskedDigests,bytes32 weights)"
    );
    /// @notice Off chain: a dealer stands by its share commitments.
    bytes32 public constant SHARE_DEAL_TYPEHASH =
        keccak256("ShareDeal(bytes32 run,uint32 round,uint32 attempt,bytes32 organization,bytes32 commitments)");
    /// @notice Signed by the site key of the plan author's organization.
    bytes32 public constant CANCEL_RUN_TYPEHASH = keccak256("CancelRun(bytes32 run,bytes32 reason)");
}
