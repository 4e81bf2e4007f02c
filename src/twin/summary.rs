//! What a run has come to, as the command line prints it.
