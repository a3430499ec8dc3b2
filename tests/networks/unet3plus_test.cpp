#include "model/nn/unet3plus.h"

#include <gtest/gtest.h>

#include "model/nn/state.h"
#include "model/nn/tensors.h"

namespace wsi::nn {

namespace {

int64_t parameters(torch::nn::Module& module) {
    int64_t count = 0;
    for (const at::Tensor& p : module.parameters()) count += p.numel();
    return count;
}

UNet3PlusOptions eunet(int64_t base) {
    UNet3PlusOptions options;
    options.base = base;
    options.classes = 2;
    options.activation = Activation::Glu;
    return options;
}

/// Largest difference from the golden logits, relative to the largest of them; from 8-bit RGB in.
double difference(const std::string& name, const UNet3PlusOptions& options, bool prepared = false) {
    const std::string path = std::string(WSI_SOURCE_DIR) + "/tests/fixtures/networks/" + name;
    const StateFile file = read_state(path);
    StateDict weights;
    for (const auto& [key, tensor] : file.tensors)
        if (key.starts_with("weights.")) weights[key.substr(8)] = tensor;
    UNet3Plus network(options);
    load_into(*network, weights, path);
    network->eval();
    if (prepared) network->prepare_for_inference();
    const at::Tensor image = file.tensors.at("image").contiguous();
    const std::array<ConstRgbView, 1> view{ConstRgbView{
        image.const_data_ptr<uint8_t>(), image.size(1), image.size(0), 3 * image.size(1)}};
    const at::NoGradGuard no_gradients;
    const at::Tensor expected = file.tensors.at("logits");
    const at::Tensor got = network->forward(to_images(view));
    EXPECT_EQ(got.sizes(), expected.sizes());
    return ((got - expected).abs().max() / expected.abs().max()).item<double>();
}

}  // namespace

TEST(UNet3PlusTest, has_the_published_number_of_parameters) {
    UNet3PlusOptions plain;
    EXPECT_EQ(parameters(*UNet3Plus(plain)), 26971777);
    plain.base = 32;
    EXPECT_EQ(parameters(*UNet3Plus(plain)), 6748993);
    EXPECT_EQ(parameters(*UNet3Plus(eunet(32))), 11466626);
    UNet3PlusOptions everywhere = eunet(32);
    everywhere.place = ActivationPlace::All;
    EXPECT_EQ(parameters(*UNet3Plus(everywhere)), 13497986);
}

TEST(UNet3PlusTest, equals_a_plain_statement_in_pytorch) {
    UNet3PlusOptions plain;
    plain.base = 2;
    EXPECT_LE(difference("unet3plus_b2.safetensors", plain), 1e-5);
    UNet3PlusOptions enhanced = eunet(2);
    enhanced.blur_pool = enhanced.distance = true;
    EXPECT_LE(difference("eunet3plus_b2.safetensors", enhanced), 1e-5);
    EXPECT_LE(difference("unet3plus_b2.safetensors", plain, true), 5e-5);
    EXPECT_LE(difference("eunet3plus_b2.safetensors", enhanced, true), 5e-5);
}

TEST(UNet3PlusTest, says_the_same_with_batch_norm_folded) {
    UNet3PlusOptions options = eunet(4);
    options.blur_pool = options.distance = true;
    UNet3Plus network(options);
    initialise(*network, 2);
    const at::Tensor image = at::rand({2, 3, 64, 64});
    network->forward(image);  // moves the running statistics away from 0 and 1
    network->eval();
    const at::NoGradGuard no_gradients;
    const at::Tensor before = network->forward(image);
    network->fold_batch_norm();
    const at::Tensor after = network->forward(image);
    EXPECT_LE((after - before).abs().max().item<double>(),
              1e-5 * before.abs().max().item<double>());
}

TEST(UNet3PlusTest, says_the_same_with_kernels_of_our_own) {
    at::set_num_threads(1);
    at::manual_seed(7);
    for (const Activation activation :
         {Activation::Relu, Activation::LeakyRelu, Activation::Swish, Activation::Glu}) {
        UNet3PlusOptions options = eunet(12);  // not a whole number of vectors
        options.activation = activation;
        options.blur_pool = options.distance = activation == Activation::Glu;
        UNet3Plus network(options);
        initialise(*network, 2);
        const at::Tensor image = at::rand({2, 3, 48, 80});
        network->forward(image);
        network->eval();
        const at::NoGradGuard no_gradients;
        const std::array<at::Tensor, 5> maps = network->encode(image);
        const at::Tensor before = network->decode(maps);
        network->prepare_for_inference();
        const at::Tensor after = network->forward(image);
        EXPECT_LE((after - before).abs().max().item<double>(),
                  1e-4 * before.abs().max().item<double>());
        EXPECT_TRUE(network->decode(network->encode(image)).equal(after));
        EXPECT_TRUE(network->forward(image.narrow(0, 1, 1)).equal(after.narrow(0, 1, 1)));
    }
}

TEST(UNet3PlusTest, draws_its_weights_from_the_seed_alone) {
    UNet3Plus a(eunet(4)), b(eunet(4)), c(eunet(4));
    initialise(*a, 5);
    initialise(*b, 5);
    initialise(*c, 6);
    const StateDict first = state_of(*a), same = state_of(*b), other = state_of(*c);
    for (const auto& [name, tensor] : first) EXPECT_TRUE(tensor.equal(same.at(name))) << name;
    EXPECT_FALSE(first.at("conv1.conv1.0.weight").equal(other.at("conv1.conv1.0.weight")));
}

TEST(MaxBlurPoolTest, leaves_a_constant_image_as_it_is) {
    const at::Tensor x = at::full({1, 2, 8, 8}, 3.0);
    EXPECT_TRUE(max_blur_pool(x).allclose(at::full({1, 2, 4, 4}, 3.0)));
}

}  // namespace wsi::nn
