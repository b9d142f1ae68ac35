"""The installed AWS command line with the face of a boto3 client of KMS: every call becomes one of its command lines, run by its own driver."""
import base64, contextlib, io, json, re
# The command line brings a botocore of its own, and puts it in the place of the installed one: before anything else asks for that.
from awscli.clidriver import create_clidriver
from botocore import xform_name

DRIVER = create_clidriver()


def option(name, value):
    flag = '--' + xform_name(name, '-')
    if isinstance(value, bool):
        return [flag if value else flag.replace('--', '--no-', 1)]
    if isinstance(value, bytes):
        return [flag, base64.b64encode(value).decode()]
    return [flag, json.dumps(value) if isinstance(value, (dict, list)) else str(value)]


class CommandLine:
    """`answered` is told each operation that the command line ended well with."""

    def __init__(self, endpoint, region, answered):
        self._client = DRIVER.session.create_client('kms', endpoint_url=endpoint, region_name=region)
        self._global = ['--endpoint-url', endpoint, '--region', region, '--output', 'json']
        self._answered = answered
        self.meta, self.exceptions = self._client.meta, self._client.exceptions

    def __getattr__(self, method):
        operation = self.meta.method_to_api_mapping[method]
        model = self.meta.service_model.operation_model(operation)

        def call(**given):
            line = ['kms', xform_name(operation, '-'), *(part for name, value in given.items() for part in option(name, value))]
            said, wrong = io.TextIOWrapper(io.BytesIO(), 'utf-8'), io.StringIO()
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(wrong):
                code = DRIVER.main([*self._global, *line])
            said.flush()
            if code != 0:
                error = re.search(r'An error occurred \((\w+)\)', wrong.getvalue())
                if error is None:
                    raise AssertionError(f'{line[1]}: {code}: {wrong.getvalue()}')
                raise self.exceptions.from_code(error[1])({'Error': {'Code': error[1], 'Message': wrong.getvalue()}}, operation)
            self._answered.add(operation)
            answer = json.loads(said.buffer.getvalue() or '{}')
            blobs = [name for name, shape in (model.output_shape.members if model.output_shape else {}).items() if shape.type_name == 'blob']
            return {**answer, **{name: base64.b64decode(answer[name]) for name in blobs if name in answer}}

        return call
