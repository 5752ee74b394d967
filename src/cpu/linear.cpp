#include "crossfix/cpu/linear.hpp"

#include <utility>

#include "with_library.hpp"

namespace crossfix::cpu {

template <class Element, class Out>
struct Linear<Element, Out>::Implementation {
  template <class Library>
  using Of = typename Library::template Linear<Element, Out>;

  OfAnyLibrary<Of> operation;
};

template <class Element, class Out>
Linear<Element, Out>::Linear(const Target& target, const ops::LinearSpecification& specification,
                             TensorView<const float, 2> weights, TensorView<const float, 2> table)
    : implementation_(
          with_library(target, [&]<class Library>() -> std::unique_ptr<const Implementation> {
            using Operator = typename Implementation::template Of<Library>;
            return std::make_unique<const Implementation>(
                Implementation{Operator(target, specification, weights, table)});
          })) {}

template <class Element, class Out>
Linear<Element, Out>::Linear(Linear&&) noexcept = default;
template <class Element, class Out>
Linear<Element, Out>& Linear<Element, Out>::operator=(Linear&&) noexcept = default;
template <class Element, class Out>
Linear<Element, Out>::~Linear() = default;

template <class Element, class Out>
void Linear<Element, Out>::operator()(Context& context, TensorView<const Element, 2> x,
                                      TensorView<Out, 2> y) const {
  std::visit([&](const auto& operation) { operation(context, x, y); }, implementation_->operation);
}

template <class Element, class Out>
std::size_t Linear<Element, Out>::scratch_bytes() const {
  return std::visit([](const auto& operation) { return operation.scratch_bytes(); },
                    implementation_->operation);
}

template class Linear<float>;
template class Linear<bfloat16>;
template class Linear<bfloat16, float>;

}  // namespace crossfix::cpu
