// memlab: the graph with dominators and retained sizes, without any of its analyses.
import analysis from '@memlab/heap-analysis';

const heap = await analysis.getFullHeapFromFile(process.argv[2]);
console.log(heap.nodes.length);
