//! Pieces of an air network as links and nodes.
