"""Runs in a pod: one text over every protocol through the gateway; prints what each said, as JSON."""

import http.client
import json
import sys

gateway, host, text = sys.argv[1:]


def post(path, body):
    connection = http.client.HTTPConnection(gateway, 80, timeout=20)
    connection.request("POST", path, json.dumps(body), {"Host": host, "Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.headers, json.loads(answer.read()), answer.status


def v1():
    headers, body, status = post("/v1/models/sentiment:predict", {"instances": [text]})
    return status, headers.get("x-model-version"), body["predictions"][0]["label"]


def v2():
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": [text]}
    headers, body, status = post("/v2/models/sentiment/infer", {"inputs": [tensor]})
    return status, headers.get("x-model-version"), {out["name"]: out["data"] for out in body["outputs"]}["label"][0]


def seed():
    headers, body, status = post("/predict", {"text": text})
    return status, headers.get("x-model-version"), body["prediction"], body["tenant"]


def rpc():
    import grpc

    # The image of the predictor, in which this runs, has the messages and nothing else of KServe.
    from inference.messages import pb

    options = [("grpc.default_authority", host)]
    with grpc.insecure_channel(f"{gateway}:80", options=options) as channel:
        request = pb.ModelInferRequest(model_name="sentiment")
        tensor = request.inputs.add(name="text", datatype="BYTES", shape=[1])
        tensor.contents.bytes_contents.append(text.encode())
        call = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=pb.ModelInferRequest.SerializeToString,
            response_deserializer=pb.ModelInferResponse.FromString,
        )
        answer = call(request, timeout=20)
    outputs = {out.name: out for out in answer.outputs}
    return 200, answer.model_version, outputs["label"].contents.bytes_contents[0].decode()


said = {}
for name, ask in (("v1", v1), ("v2", v2), ("seed", seed), ("grpc", rpc)):
    try:
        said[name] = ask()
    except Exception as error:
        said[name] = [0, None, f"{type(error).__name__}: {error}"]
print(json.dumps(said))
