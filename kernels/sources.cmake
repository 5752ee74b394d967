# The kernels, one family a folder. The library compiles them for the devices, the tests also for
# the CPU.
set(CROSSFIX_KERNEL_SOURCES
    attention/ampere.cu
    attention/attention.cpp
    attention/exact.cu
    attention/hopper.cu
    depthwise/depthwise.cu
    descriptor/descriptor.cu
    elementwise/elementwise.cu
    ground/ground.cu
    image/load_image.cu
    norm/layer_norm.cu
    pool/max_pool.cu
    softmax/decode.cu
    softmax/log_sum_exp.cu
    softmax/softmax.cu)

# Their headers are included as "crossfix/kernels/...", here as from an installed prefix: a link
# stands in for that folder.
set(CROSSFIX_KERNEL_INCLUDE ${PROJECT_BINARY_DIR}/include)
file(MAKE_DIRECTORY ${CROSSFIX_KERNEL_INCLUDE}/crossfix)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/kernels ${CROSSFIX_KERNEL_INCLUDE}/crossfix/kernels SYMBOLIC)
