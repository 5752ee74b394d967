#pragma once

#include <cudnn_graph.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "fake.hpp"

namespace crossfix::fake {

/// What an attribute must be: its type and its number of values.
struct Rule {
  cudnnBackendAttributeType_t type;
  std::int64_t least;
  std::int64_t most;
  bool needed;
};

/// The attributes that a descriptor of this type takes. Throws for a type that the stand-in does
/// not know.
const std::map<cudnnBackendAttributeName_t, Rule>& rules_of(cudnnBackendDescriptorType_t type);

/// A descriptor: the attributes that were set, as bytes.
struct DescriptorState {
  struct Attribute {
    cudnnBackendAttributeType_t type;
    std::int64_t count;
    std::vector<std::byte> bytes;
  };

  explicit DescriptorState(cudnnBackendDescriptorType_t kind) : type(kind) {}

  bool has(cudnnBackendAttributeName_t name) const { return attributes.count(name) != 0; }

  /// The values of an attribute that was set.
  template <class T>
  std::vector<T> all(cudnnBackendAttributeName_t name) const {
    const Attribute& attribute = attributes.at(name);
    std::vector<T> values(static_cast<std::size_t>(attribute.count));
    if (attribute.bytes.size() != values.size() * sizeof(T)) {
      throw std::logic_error("an attribute's values have another size");
    }
    std::memcpy(values.data(), attribute.bytes.data(), attribute.bytes.size());
    return values;
  }
  /// The only value of an attribute that was set.
  template <class T>
  T one(cudnnBackendAttributeName_t name) const {
    const Attribute& attribute = attributes.at(name);
    if (attribute.bytes.size() != sizeof(T)) {
      throw std::logic_error("an attribute's value has another size");
    }
    T value;
    std::memcpy(&value, attribute.bytes.data(), sizeof(T));
    return value;
  }
  const DescriptorState& descriptor(cudnnBackendAttributeName_t name) const {
    return *static_cast<const DescriptorState*>(one<cudnnBackendDescriptor_t>(name));
  }

  Alive alive;
  cudnnBackendDescriptorType_t type;
  bool finished = false;
  std::map<cudnnBackendAttributeName_t, Attribute> attributes;

  // For an engine, and for what holds one: which engine of the stand-in, for which graph.
  int engine = -1;
  cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
  const DescriptorState* graph = nullptr;
};

inline DescriptorState& state_of(cudnnBackendDescriptor_t descriptor) {
  return *static_cast<DescriptorState*>(descriptor);
}

/// Runs the operations of a finished graph in order, in plain loops and float sums, on the tensors
/// of a finished variant pack. Throws std::logic_error if the parts do not fit together.
void execute(const DescriptorState& graph, const DescriptorState& pack);

}  // namespace crossfix::fake
