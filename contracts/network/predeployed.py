"""Where every network of ours has its list of validators; read by programs that make no network."""

# Any address that no key and no creation reaches; small, so that people recognise it.
SOURCE_ADDRESS = "0x0000000000000000000000000000000000007777"
