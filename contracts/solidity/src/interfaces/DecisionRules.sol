// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The frequent decisions, taken on the DecisionBoard. Constitutional acts are the governor's: no kind is in both.
enum DecisionKind {
    None,
    ApprovePlan,
    ReleaseModel,
    RecallModel,
    GrantLicence
}

/// @notice The numbers of one kind of decision.
/// @param quorumBps Ballots cast, of the base, in hundredths of a percent.
/// @param thresholdBps Yes of yes and no, in hundredths of a percent; yes must outnumber no besides.
/// @param periodSeconds How long ballots are accepted.
/// @param minimumVotes Ballots that must be cast whatever the base.
/// @param excludeAuthor Whether the author's organization is left out of base and ballot.
struct DecisionRule {
    uint16 quorumBps;
    uint16 thresholdBps;
    uint32 periodSeconds;
    uint16 minimumVotes;
    bool excludeAuthor;
}
