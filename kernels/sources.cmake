# The kernels, one family a folder. The library compiles them for the devices, the tests also for the
# CPU.
set(CROSSFIX_KERNEL_SOURCES
    attention/ampere.cu
    attention/attention.cpp
    attention/exact.cu
    attention/hopper.cu
    softmax/softmax.cu)
