# The closing handshake as a model, which spin explores. What the model says of
# the ready state is held against the code by test_model_edges.c.
#: make model           every interleaving of the closing handshake, with spin
.PHONY: model
model:
	@sh tests/setup.sh spin gcc
	@sh tests/model/model.sh
