// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecisionBoard} from "../src/DecisionBoard.sol";
import {IConsortiumRegistry} from "../src/interfaces/IConsortiumRegistry.sol";
import {IDecisionBoard} from "../src/interfaces/IDecisionBoard.sol";
import {Neighbors} from "./support/Neighbors.sol";
import {Symbolic} from "./support/Symbolic.sol";

/// @dev A board on which two members have voted, whatever it held before.
contract BoardWithBallots is DecisionBoard {
    constructor(IConsortiumRegistry registry) DecisionBoard(registry) {}

    /// @dev Lengths are written as they are: `delete` would walk over a list as long as the storage says, and it says anything.
    function put(bytes32 id, bytes32[2] memory voters, Choice[2] memory choices) external {
        bytes32[] storage cast = _voters[id];
        bytes32[] storage owners = _owners[id];
        assembly ("memory-safe") {
            sstore(cast.slot, 0)
            sstore(owners.slot, 0)
        }
        for (uint256 i = 0; i < 2; ++i) {
            cast.push(voters[i]);
            _ballots[id][voters[i]] = choices[i];
        }
    }
}

/// @notice Closing a decision: ballots of members that are not active count as missing, and an end is final.
contract BoardSymbolic is Symbolic {
    bytes32 private constant ID = bytes32(uint256(7));
    Neighbors private neighbors;
    BoardWithBallots private board;
    bytes32[2] private voters;

    function setUp() public {
        neighbors = new Neighbors();
        board = new BoardWithBallots(IConsortiumRegistry(address(neighbors)));
        svm.enableSymbolicStorage(address(neighbors));
        svm.enableSymbolicStorage(address(board));
        voters = [bytes32(uint256(11)), bytes32(uint256(12))];
    }

    /// @dev Nobody is an owner here: a board that keeps two ballots and no owners, by whatever rule. Fails
    /// if `_count` counts the inactive, tried by hand.
    function check_of_two_ballots_struck_ones_are_not_counted(uint8 first, uint8 second, uint48 time) public {
        vm.assume(_isChoice(first) && _isChoice(second));
        IDecisionBoard.Choice[2] memory choices =
            [IDecisionBoard.Choice(first), IDecisionBoard.Choice(second)];
        board.put(ID, voters, choices);
        vm.warp(time);
        vm.assume(isTaken(address(board), abi.encodeCall(board.close, (ID))));

        IDecisionBoard.Decision memory known = board.decision(ID);
        (uint256 yes, uint256 no, uint256 abstain) = (0, 0, 0);
        for (uint256 i = 0; i < 2; ++i) {
            if (!neighbors.isActive(voters[i])) continue;
            if (choices[i] == IDecisionBoard.Choice.Yes) ++yes;
            else if (choices[i] == IDecisionBoard.Choice.No) ++no;
            else ++abstain;
        }
        assert(known.yes == yes && known.no == no && known.abstain == abstain);
        assert(known.state != IDecisionBoard.DecisionState.Approved || yes > no);
    }

    function check_a_closed_decision_is_final(bytes32 voter, uint8 choice, uint48 time) public {
        vm.assume(_isChoice(choice));
        IDecisionBoard.Choice[2] memory choices =
            [IDecisionBoard.Choice.Yes, IDecisionBoard.Choice.No];
        board.put(ID, voters, choices);
        IDecisionBoard.Decision memory before = board.decision(ID);
        vm.assume(before.state != IDecisionBoard.DecisionState.Open);
        vm.warp(time);
        bytes memory by = signature("ballot");
        bytes memory call = abi.encodeCall(
            board.castBallot, (ID, before.subject, voter, IDecisionBoard.Choice(choice), by)
        );
        assert(!isTaken(address(board), call));
        assert(!isTaken(address(board), abi.encodeCall(board.close, (ID))));
        assert(keccak256(abi.encode(before)) == keccak256(abi.encode(board.decision(ID))));
    }

    function _isChoice(uint8 choice) private pure returns (bool) {
        return choice >= 1 && choice <= 3;
    }
}
