// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Models of a consortium and whether they may serve
/// @notice A candidate comes only from a completed run whose last weights it is; release and recall only by a decision
/// of the board on exactly that digest, each decision once. A recall is final.
interface IModelRegistry {
    enum ModelState {
        None,
        Candidate,
        Released,
        Recalled
    }

    /// @param card Digest of the model's card.
    /// @param author Organization that authored the run's plan.
    struct Model {
        ModelState state;
        bytes32 run;
        bytes32 card;
        bytes32 author;
    }

    error ModelWrongState(bytes32 model, ModelState state);
    error ModelZeroCard();
    error ModelNotFinal(bytes32 model, bytes32 run);
    error ModelAuthorNotActive(bytes32 author);
    error ModelBadSignature(bytes32 author);
    error ModelNotDecided(bytes32 model, bytes32 decision);

    event ModelRegistered(bytes32 indexed model, bytes32 indexed run, bytes32 card, bytes32 indexed author);
    event ModelReleased(bytes32 indexed model, bytes32 indexed decision);
    event ModelRecalled(bytes32 indexed model, bytes32 indexed decision);

    /// @notice Register the last weights of a completed run, signed by the site key of the plan author's organization
    /// (RegisterCandidate).
    /// @param model SHA-256 of the canonical safetensors: the run's last `nextWeights`.
    function registerCandidate(bytes32 model, bytes32 run, bytes32 card, bytes calldata signature) external;

    /// @notice Release a candidate on an approved ReleaseModel decision about it.
    function release(bytes32 model, bytes32 decision) external;

    /// @notice Recall a released model on an approved RecallModel decision about it.
    function recall(bytes32 model, bytes32 decision) external;

    function modelOf(bytes32 model) external view returns (Model memory);

    function isReleased(bytes32 model) external view returns (bool);
}
