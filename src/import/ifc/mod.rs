//! IFC files (2X3, 4, 4X3) and ifcZIP.
