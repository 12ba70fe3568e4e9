"""How the trained graph runs: node after node, in an order that is found once.

Takes the place of `DaskGraphRunner.run` of Rasa 3.6.21 (the last release), which builds a dask
graph, sorts it, and writes all its inputs into a log line, twice or more for each message.
"""

from typing import Any, Dict, List, Optional, Text, Tuple

from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import GraphNode
from rasa.engine.runner.dask import DaskGraphRunner

_Step = Tuple[Text, GraphNode, Tuple[Text, ...]]


def _steps(runner: DaskGraphRunner, targets: Tuple[Text, ...]) -> List[_Step]:
    """The nodes that the targets need, each after those that it needs itself."""
    nodes = runner._graph_schema.minimal_graph_schema(list(targets)).nodes
    steps: Dict[Text, _Step] = {}

    def add(name: Text) -> None:
        if name in steps or name not in nodes:  # the others are inputs
            return
        needs = tuple(nodes[name].needs.values())
        for need in needs:
            add(need)
        steps[name] = (name, runner._instantiated_nodes[name], needs)

    for target in targets:
        add(target)
    return list(steps.values())


def run(
    self: DaskGraphRunner,
    inputs: Optional[Dict[Text, Any]] = None,
    targets: Optional[List[Text]] = None,
) -> Dict[Text, Any]:
    """Run the graph and return the targets' outputs.

    Raises `GraphRunError` for an input that has a node's name, and what the nodes raise.
    """
    wanted = tuple(targets or self._graph_schema.target_names)
    known = self.__dict__.setdefault("_steps_of", {})
    if wanted not in known:
        known[wanted] = _steps(self, wanted)
    done: Dict[Text, Any] = {name: (name, value) for name, value in (inputs or {}).items()}
    for name, node, needs in known[wanted]:
        if name in done:
            raise GraphRunError(f"the input {name} has the name of a node")
        try:
            done[name] = node(*(done.get(need, need) for need in needs))
        except RuntimeError as error:
            raise GraphRunError("a node failed") from error
    return dict(done[target] for target in wanted)


def install() -> None:
    """Make every trained graph of this process use `run`."""
    DaskGraphRunner.run = run
