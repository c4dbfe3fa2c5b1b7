"""A command that finds a module's get_pipeline() by name, puts its pipeline into the account and runs it."""

import argparse
import importlib
import json
import sys
import traceback


def get_driver(module_name, kwargs):
    return importlib.import_module(module_name).get_pipeline(**json.loads(kwargs))


def main():
    parser = argparse.ArgumentParser("Puts a pipeline into the account and runs it.")
    parser.add_argument("-n", "--module-name", default="builder.pipeline")
    parser.add_argument("-k", "--kwargs", default='{"region": "us-east-1"}')
    parser.add_argument("-r", "--role-arn", default="arn:aws:iam::111122223333:role/pipelines")
    parser.add_argument("--tags", default=None)
    args = parser.parse_args()
    try:
        pipeline = get_driver(args.module_name, args.kwargs)
        print("###### Creating/updating a pipeline with the following definition:")
        print(json.dumps(json.loads(pipeline.definition()), indent=2, sort_keys=True))
        response = pipeline.upsert(role_arn=args.role_arn, description="driven", tags=args.tags)
        print(response)
        execution = pipeline.start()
        print(f"\n###### Execution started with PipelineExecutionArn: {execution.arn}")
        execution.wait()
        print(execution.list_steps())
    except Exception as error:
        print(f"Exception: {error}")
        traceback.print_exc()
        sys.exit(1)


if __name__ == "__main__":
    main()
