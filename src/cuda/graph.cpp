#include "crossfix/cuda/graph.hpp"

#include "status.hpp"

namespace crossfix::cuda {

Graph::Graph(const Target& target, const std::function<void()>& work) {
  const DeviceScope scope(target.device());
  const auto stream = target.stream().get();
  // Other threads may allocate during the capture.
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "recording a graph");
  cudaGraph_t graph = nullptr;
  try {
    work();
  } catch (...) {
    static_cast<void>(cudaStreamEndCapture(stream, &graph));
    if (graph != nullptr) static_cast<void>(cudaGraphDestroy(graph));
    static_cast<void>(cudaGetLastError());
    throw;
  }
  check(cudaStreamEndCapture(stream, &graph), "recording a graph");
  const cudaError_t status = cudaGraphInstantiate(&executable_, graph, 0);
  static_cast<void>(cudaGraphDestroy(graph));
  check(status, "making a graph on " + target.device().description());
}

Graph::~Graph() {
  if (executable_ != nullptr) static_cast<void>(cudaGraphExecDestroy(executable_));
}

void Graph::launch(const Target& target) const {
  const DeviceScope scope(target.device());
  check(cudaGraphLaunch(executable_, target.stream().get()),
        "launching a graph on " + target.device().description());
}

}  // namespace crossfix::cuda
