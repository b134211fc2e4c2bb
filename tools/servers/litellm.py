"""LiteLLM's proxy before vLLM with the demo checkpoint in f32, against our own engine in f32.

The proxy computes nothing: it lists the models of its configuration and passes requests on, some fields changed.
"""

import json

import harness
import vllm
from serving import Server

# The later ones ask for packages that the registry does not have.
VERSION = "1.106.12"


def command(venv, models, port):
    config = models.folder.parent / "litellm.yaml"
    # Whatever is JSON is YAML.
    behind = {"model": "hosted_vllm/demo", "api_base": "os.environ/BEHIND", "api_key": "none"}
    config.write_text(json.dumps({"model_list": [{"model_name": "demo", "litellm_params": behind}], "litellm_settings": {"telemetry": False}}))
    return [venv / "bin/litellm", "--config", config, "--host", "127.0.0.1", "--port", port]


SERVER = Server(
    key="litellm",
    title="LiteLLM proxy before vLLM",
    packages=(f"litellm[proxy]=={VERSION}",),
    distributions=("litellm",),
    command=command,
    behind=vllm.SERVER,
    least={"logprobs": (0.0, "it leaves them out of streams, which a warning says")},
    environment={
        "BEHIND": "http://127.0.0.1:{behind}/v1",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "DO_NOT_TRACK": "1",
    },
)

if __name__ == "__main__":
    harness.main(SERVER, __doc__)
