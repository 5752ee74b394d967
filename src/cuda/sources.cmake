# The CUDA backend but for what finds NVIDIA's libraries: the tests link stand-ins for those.
set(CROSSFIX_CUDA_SOURCES
    context.cpp
    convolution.cpp
    convolution_plan.cpp
    depthwise_convolution.cpp
    device.cpp
    graph.cpp
    ground_operators.cpp
    image_slot.cpp
    linear.cpp
    memory.cpp
    read.cpp
    staging.cpp
    target.cpp
    token_operators.cpp)
