// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICrossConsortiumInbox} from "../../src/interfaces/ICrossConsortiumInbox.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {Peers} from "../support/Peers.sol";

/// @notice Headers of a peer sealed by sets at random, by the one in force among them, with proofs and messages that hold.
contract PeerHandler is Peers {
    uint256 private constant SETS = 3;
    uint256 private _inForce;
    uint64 private _height;
    ICrossConsortiumInbox.ForeignState private _state;
    uint256 public advanced;
    uint256 public delivered;
    bool public isLowered;
    bool public isResurrected;
    bool public isForged;

    function setUp() public override {
        super.setUp();
        ICrossConsortiumInbox.Anchor memory anchor = acceptPeer();
        inbox.open(anchor);
        _height = ANCHOR_HEIGHT;
    }

    /// @param sealers, successors Which of three sets seals, and which the state holds from here on.
    function advance(uint64 above, uint8 sealers, uint8 successors, uint8 seals) external {
        uint256 by = sealers % SETS;
        uint256 next = successors % SETS;
        Block memory made = blockAt(above % 64, 4 * next, "");
        (bytes memory header, address[] memory list) = _sealed(made, by, seals);
        bytes memory call = abi.encodeCall(inbox.advance, (peer, header, list, accountProofOf(made), slotProofOf(made)));
        if (_isTaken(call, by, seals, made.number)) (_inForce, advanced) = (next, advanced + 1);
        _look();
    }

    function deliver(uint64 above, uint8 sealers, uint8 seals, bool isRecall) external {
        uint256 by = sealers % SETS;
        bytes32 kind = isRecall ? IModelRegistry.ModelRecalled.selector : IModelRegistry.ModelReleased.selector;
        Block memory made = blockAt(above % 64, 4 * _inForce, messageOf(kind));
        (bytes memory header, address[] memory list) = _sealed(made, by, seals);
        bytes memory call = abi.encodeCall(inbox.deliver, (peer, one(header), list, receiptProofOf(made)));
        if (_isTaken(call, by, seals, made.number)) ++delivered;
        _look();
    }

    function _sealed(Block memory made, uint256 by, uint8 seals)
        private
        pure
        returns (bytes memory header, address[] memory list)
    {
        uint256[] memory secrets = secretsOf(4 * by, 4);
        return (seal(made, secrets, seals % 5), addressesOf(secrets));
    }

    /// @dev Three of four seals of the set in force, above the proven height: nothing else may count.
    function _isTaken(bytes memory call, uint256 by, uint8 seals, uint64 number) private returns (bool isDone) {
        (isDone,) = address(inbox).call(call);
        bool isGenuine = by == _inForce && seals % 5 >= 3 && number > _height;
        if (isDone && !isGenuine) isForged = true;
    }

    function _look() private {
        uint64 height = inbox.peerOf(peer).height;
        ICrossConsortiumInbox.ForeignState state = inbox.foreignModelOf(peer, FOREIGN_MODEL).state;
        if (height < _height) isLowered = true;
        if (state < _state) isResurrected = true;
        (_height, _state) = (height, state);
    }
}
