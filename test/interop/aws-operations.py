"""
Every operation of KMS that the installed botocore knows, asked of a running vault by boto3, or (`awscli`) by the AWS command line; prints as JSON which have
answered, and botocore's own list.
"""
import hashlib, json, os, sys
if sys.argv[1] == 'awscli':
    from aws_cli_client import CommandLine
else:
    import boto3
import botocore
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

REGION = os.environ['AWS_DEFAULT_REGION']
OTHER = 'ap-south-1'


answered = set()


def client(region):
    if sys.argv[1] == 'awscli':
        return CommandLine(os.environ['ENDPOINT'], region, answered)
    made = boto3.client('kms', endpoint_url=os.environ['ENDPOINT'], region_name=region)
    made.meta.events.register('after-call.kms', lambda http_response, model, **_: answered.add(model.name) if http_response.status_code == 200 else None)
    return made


kms, there = client(REGION), client(OTHER)


def make(**spec):
    return kms.create_key(**spec)['KeyMetadata']['KeyId']


def tags(key):
    return {tag['TagKey']: tag['TagValue'] for tag in kms.list_resource_tags(KeyId=key)['Tags']}


key, second = make(Description='boto3', Tags=[{'TagKey': 'a', 'TagValue': '1'}]), make()
# Looks, names and tags.
kms.tag_resource(KeyId=key, Tags=[{'TagKey': 'b', 'TagValue': '2'}])
kms.untag_resource(KeyId=key, TagKeys=['a'])
assert tags(key) == {'b': '2'}
kms.update_key_description(KeyId=key, Description='changed')
assert kms.describe_key(KeyId=key)['KeyMetadata']['Description'] == 'changed'
kms.create_alias(AliasName='alias/boto', TargetKeyId=key)
kms.update_alias(AliasName='alias/boto', TargetKeyId=second)
assert [one['TargetKeyId'] for one in kms.list_aliases(KeyId=second)['Aliases']] == [second]
kms.delete_alias(AliasName='alias/boto')
assert kms.list_key_policies(KeyId=key)['PolicyNames'] == ['default']
assert json.loads(kms.get_key_policy(KeyId=key, PolicyName='default')['Policy'])['Statement']
assert {key, second} <= {one['KeyId'] for one in kms.list_keys()['Keys']}

# Uses.
blob = kms.encrypt(KeyId=key, Plaintext=b'boto', EncryptionContext={'k': 'v'})['CiphertextBlob']
moved = kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext={'k': 'v'}, DestinationKeyId=second)
assert moved['KeyId'].endswith(second) and kms.decrypt(CiphertextBlob=moved['CiphertextBlob'])['Plaintext'] == b'boto'
assert len(kms.generate_random(NumberOfBytes=33)['Plaintext']) == 33
data = kms.generate_data_key(KeyId=key, NumberOfBytes=24)
assert kms.decrypt(CiphertextBlob=data['CiphertextBlob'])['Plaintext'] == data['Plaintext']
hidden = kms.generate_data_key_without_plaintext(KeyId=key, KeySpec='AES_128')
assert len(kms.decrypt(CiphertextBlob=hidden['CiphertextBlob'])['Plaintext']) == 16
for pair_spec in ('RSA_2048', 'ECC_NIST_P384', 'ECC_SECG_P256K1'):
    pair = kms.generate_data_key_pair(KeyId=key, KeyPairSpec=pair_spec)
    assert kms.decrypt(CiphertextBlob=pair['PrivateKeyCiphertextBlob'])['Plaintext'] == pair['PrivateKeyPlaintext']
    private = serialization.load_der_private_key(pair['PrivateKeyPlaintext'], None)
    public = serialization.load_der_public_key(pair['PublicKey'])
    assert private.public_key().public_numbers() == public.public_numbers()
assert 'PrivateKeyPlaintext' not in kms.generate_data_key_pair_without_plaintext(KeyId=key, KeyPairSpec='ECC_NIST_P256')
rsa = make(KeySpec='RSA_2048', KeyUsage='SIGN_VERIFY')
signature = kms.sign(KeyId=rsa, Message=b'm', SigningAlgorithm='RSASSA_PKCS1_V1_5_SHA_384')['Signature']
serialization.load_der_public_key(kms.get_public_key(KeyId=rsa)['PublicKey']).verify(signature, b'm', padding.PKCS1v15(), hashes.SHA384())
digest = hashlib.sha384(b'm').digest()
assert kms.verify(KeyId=rsa, Message=digest, MessageType='DIGEST', Signature=signature, SigningAlgorithm='RSASSA_PKCS1_V1_5_SHA_384')['SignatureValid']
mac_key = make(KeySpec='HMAC_256', KeyUsage='GENERATE_VERIFY_MAC')
mac = kms.generate_mac(KeyId=mac_key, Message=b'm', MacAlgorithm='HMAC_SHA_256')['Mac']
assert kms.verify_mac(KeyId=mac_key, Message=b'm', Mac=mac, MacAlgorithm='HMAC_SHA_256')['MacValid']
try:
    kms.verify_mac(KeyId=mac_key, Message=b'n', Mac=mac, MacAlgorithm='HMAC_SHA_256')
    raise AssertionError('a wrong MAC')
except kms.exceptions.KMSInvalidMacException:
    pass

# States and rotation.
kms.enable_key_rotation(KeyId=key)
assert kms.get_key_rotation_status(KeyId=key)['KeyRotationEnabled'] is True
kms.disable_key_rotation(KeyId=key)
assert kms.get_key_rotation_status(KeyId=key)['KeyRotationEnabled'] is False
kms.disable_key(KeyId=second)
try:
    kms.decrypt(CiphertextBlob=moved['CiphertextBlob'])
    raise AssertionError('a disabled key decrypted')
except kms.exceptions.DisabledException:
    pass
kms.enable_key(KeyId=second)
kms.schedule_key_deletion(KeyId=second, PendingWindowInDays=7)
kms.cancel_key_deletion(KeyId=second)
assert kms.describe_key(KeyId=second)['KeyMetadata']['KeyState'] == 'Disabled'

# Regions.
multi = make(MultiRegion=True)
wide = kms.encrypt(KeyId=multi, Plaintext=b'wide')['CiphertextBlob']
kms.replicate_key(KeyId=multi, ReplicaRegion=OTHER)
assert there.decrypt(CiphertextBlob=wide)['Plaintext'] == b'wide'
kms.update_primary_region(KeyId=multi, PrimaryRegion=OTHER)
assert there.describe_key(KeyId=multi)['KeyMetadata']['MultiRegionConfiguration']['MultiRegionKeyType'] == 'PRIMARY'

# Key material of one's own.
brought = make(Origin='EXTERNAL')
given = kms.get_parameters_for_import(KeyId=brought, WrappingAlgorithm='RSAES_OAEP_SHA_256', WrappingKeySpec='RSA_2048')
oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
wrapped = serialization.load_der_public_key(given['PublicKey']).encrypt(os.urandom(32), oaep)
kms.import_key_material(KeyId=brought, ImportToken=given['ImportToken'], EncryptedKeyMaterial=wrapped, ExpirationModel='KEY_MATERIAL_DOES_NOT_EXPIRE')
assert kms.describe_key(KeyId=brought)['KeyMetadata']['KeyState'] == 'Enabled'
kms.delete_imported_key_material(KeyId=brought)
assert kms.describe_key(KeyId=brought)['KeyMetadata']['KeyState'] == 'PendingImport'

# A key store in a token.
cluster, pin = os.environ['CLUSTER'], os.environ['TOKEN_PIN']
store = kms.create_custom_key_store(CustomKeyStoreName='boto', CloudHsmClusterId=cluster, KeyStorePassword=pin)['CustomKeyStoreId']
kms.update_custom_key_store(CustomKeyStoreId=store, NewCustomKeyStoreName='boto-2')
kms.connect_custom_key_store(CustomKeyStoreId=store)
assert kms.describe_custom_key_stores(CustomKeyStoreId=store)['CustomKeyStores'][0]['ConnectionState'] == 'CONNECTED'
kms.disconnect_custom_key_store(CustomKeyStoreId=store)
kms.delete_custom_key_store(CustomKeyStoreId=store)

# What is not here is refused by name.
for refused in (lambda: kms.list_grants(KeyId=key), lambda: kms.put_key_policy(KeyId=key, PolicyName='default', Policy='{}')):
    try:
        refused()
        raise AssertionError('it is there')
    except ClientError as error:
        assert error.response['Error']['Code'] == 'UnknownOperationException', error
print(json.dumps({'botocore': botocore.__version__, 'known': sorted(kms.meta.service_model.operation_names), 'answered': sorted(answered)}))
