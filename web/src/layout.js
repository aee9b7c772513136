// Where the nodes of the topology stand: layers by calls, gateways first. The same graph always gives the same picture.
import { graphlib, layout } from "@dagrejs/dagre";

export const NODE = { width: 240, height: 106 };
export const LABEL = { width: 92, height: 54 };

// nodes: [{ id, kind }], edges: [{ key, from, to }] by ids. vertical: layers from top to bottom, for narrow screens.
export function layOut(nodes, edges, vertical) {
  const graph = new graphlib.Graph({ multigraph: true });
  graph.setGraph({
    rankdir: vertical ? "TB" : "LR",
    nodesep: 34,
    ranksep: vertical ? 22 : 46,
    edgesep: 14,
    marginx: 8,
    marginy: 8,
  });
  for (const node of nodes) graph.setNode(node.id, { ...NODE });
  for (const edge of edges) {
    const weight = edge.from.startsWith("gateway ") ? 2 : 1;
    graph.setEdge(edge.from, edge.to, { ...LABEL, labelpos: "c", weight }, edge.key);
  }
  layout(graph);
  const size = graph.graph();
  return {
    width: Math.ceil(size.width || 0),
    height: Math.ceil(size.height || 0),
    nodes: new Map(nodes.map((node) => [node.id, graph.node(node.id)])),
    edges: new Map(
      edges.map((edge) => {
        const found = graph.edge({ v: edge.from, w: edge.to, name: edge.key });
        const ends = [graph.node(edge.from), graph.node(edge.to)];
        const points = edge.from === edge.to ? found.points : atSides(found.points, ...ends, vertical);
        return [edge.key, { path: curve(points, vertical), x: found.x, y: found.y }];
      }),
    ),
  };
}

// Arrows leave and reach nodes at the sides that face along the layers, never near a corner.
function atSides(points, from, to, vertical) {
  const side = (node, next) => {
    const [along, across] = vertical ? ["y", "x"] : ["x", "y"];
    const [long, wide] = vertical ? [node.height, node.width] : [node.width, node.height];
    const most = wide / 2 - 16;
    return {
      [along]: node[along] + (next[along] < node[along] ? -long / 2 : long / 2),
      [across]: Math.max(node[across] - most, Math.min(next[across], node[across] + most)),
    };
  };
  return [side(from, points[1]), ...points.slice(1, -1), side(to, points[points.length - 2])];
}

// Through all points, leaving and entering along the direction of the layers.
function curve(points, vertical) {
  const number = (value) => Math.round(value * 10) / 10;
  let text = `M${number(points[0].x)},${number(points[0].y)}`;
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    const [mx, my] = [(a.x + b.x) / 2, (a.y + b.y) / 2];
    const control = vertical ? [a.x, my, b.x, my] : [mx, a.y, mx, b.y];
    text += `C${control.map(number).join(",")},${number(b.x)},${number(b.y)}`;
  }
  return text;
}
