//! Templates and topics become points on elements.
