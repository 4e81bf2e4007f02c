"""Heads that EPANET finds: python epanet_heads.py FILE.inp... [--all-steps]

Prints one JSON document: by file, the heads (m), flows (m3/s) and power of pumps (kW) of each step, or why it does not open.
Needs owa-epanet (pip install owa-epanet).
"""

import json
import os
import sys
import tempfile

from epanet import toolkit as en

CUBIC_FEET = [1.0, 448.831, 0.64632, 0.5382, 1.9837, 28.317, 1699.0, 2.4466, 101.94, 2446.6, 0.028317]


def solve(path, all_steps):
    project = en.createproject()
    report = tempfile.NamedTemporaryFile(suffix=".rpt", delete=False)
    report.close()
    try:
        try:
            en.open(project, path, report.name, "")
        except Exception as error:
            with open(report.name, encoding="latin-1") as text:
                lines = [line.strip() for line in text if "rror" in line]
            return {"error": str(error), "report": lines[:10]}
        units = en.getflowunits(project)
        metre = 1.0 if units >= 5 else 0.3048
        flow = 0.3048**3 / CUBIC_FEET[units]
        nodes = range(1, en.getcount(project, en.NODECOUNT) + 1)
        links = range(1, en.getcount(project, en.LINKCOUNT) + 1)
        node_ids = [en.getnodeid(project, i) for i in nodes]
        link_ids = [en.getlinkid(project, i) for i in links]
        steps = []
        en.openH(project)
        en.initH(project, en.INITFLOW)
        while True:
            try:
                seconds = en.runH(project)
            except Exception as error:
                return {"error": str(error), "steps": steps}
            heads = [en.getnodevalue(project, i, en.HEAD) * metre for i in nodes]
            flows = [en.getlinkvalue(project, i, en.FLOW) * flow for i in links]
            pumps = [i for i in links if en.getlinktype(project, i) == en.PUMP]
            power = {link_ids[i - 1]: en.getlinkvalue(project, i, en.ENERGY) for i in pumps}
            steps.append({"t_s": seconds, "head_m": dict(zip(node_ids, heads)), "flow_m3s": dict(zip(link_ids, flows)), "power_kw": power})
            if not all_steps or en.nextH(project) <= 0:
                break
        en.closeH(project)
        return {"steps": steps}
    finally:
        en.deleteproject(project)
        os.unlink(report.name)


if __name__ == "__main__":
    every = "--all-steps" in sys.argv
    files = [a for a in sys.argv[1:] if not a.startswith("--")]
    print(json.dumps({os.path.basename(f): solve(f, every) for f in files}))
