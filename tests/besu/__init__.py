"""A server that answers as a real Besu network did: its recordings, and a model of what a recording cannot hold.

    with serve(Node()) as server: ...           a node of its own, from block 0
    network = Network(4)                        nodes of one network; `network.mine()` makes a block
    with serve(recorded_node()) as server: ...  the recorded chain, 111 blocks, and its contracts' answers
    server.fail(Fault.SILENT, times=1)          faults on command

`tests/unit/besu` holds the model to every recorded question that it claims to answer.
"""
