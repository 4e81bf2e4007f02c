"""Every shape of a model, by IfcOpenShell: python ifcopenshell_shapes.py [FILE]"""

import json
import resource
import sys

import ifcopenshell
import ifcopenshell.geom

elements, triangles = set(), 0
if len(sys.argv) > 1:
    settings = ifcopenshell.geom.settings()
    settings.set("use-world-coords", True)
    model = ifcopenshell.open(sys.argv[1])
    shapes = ifcopenshell.geom.iterator(settings, model, 2)
    more = shapes.initialize()
    while more:
        shape = shapes.get()
        elements.add(shape.id)
        triangles += len(shape.geometry.faces) // 3
        more = shapes.next()
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"cpu_s": used.ru_utime + used.ru_stime, "elements": len(elements), "triangles": triangles}))
