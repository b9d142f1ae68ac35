/**
 * Every `secretsmanager:` declaration against the types of AWS's own client, mostly while compiling: a field that AWS does not have, one
 * that it has and that is neither taken nor refused by name, another type, or another word on whether it must be given does not compile.
 */
import type * as aws from '@aws-sdk/client-secrets-manager';
import { expect, it } from 'vitest';
import type { z } from 'zod';
import { declarationOf, NAMES, type Name, type OperationNamed, type Output } from '../../../src/shared/api/index.ts';
import { refusedOf } from '../../../src/shared/api/describe.ts';
import { COMMON_ERRORS } from '../../../src/shared/api/operation.ts';

/** Ours as AWS's client has it: text is a string there, bytes are bytes, dates are dates. */
type Theirs<T> = {
  -readonly [K in keyof T]: K extends 'SecretString' | 'RandomPassword' ? string : K extends 'SecretBinary' ? Uint8Array : K extends `${string}Date` ? Date : One<T[K]>;
};
type One<T> = T extends readonly (infer Item)[] ? One<Item>[] : T extends (...args: never) => unknown ? never : T extends object ? (string extends keyof T ? T : Theirs<T>) : T;

type Given<N extends Name> = z.input<OperationNamed<N>['input']>;
type Must<T> = { [K in keyof T]-?: Partial<T> extends Pick<T, K> ? never : K }[keyof T];
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** Fields are the same, what must be given is the same (`more`: by AWS's documents where its model says nothing), and ours fit into theirs. */
type InputIs<N extends Name, Request, Refused extends string = never> = [
  Same<Exclude<keyof Given<N>, Refused>, Exclude<keyof Request, Refused>>,
  Same<Must<Given<N>>, Must<Request>>,
  Theirs<Omit<Given<N>, Refused>> extends Omit<Request, Refused> ? true : false,
];
/** What AWS answers with and we do not is named. */
type OutputIs<N extends Name, Response, Missing extends keyof Omit<Response, '$metadata'> = never> = [
  Same<keyof Output<N>, Exclude<keyof Omit<Response, '$metadata'>, Missing>>,
  Theirs<Output<N>> extends Omit<Response, '$metadata' | Missing> ? true : false,
];
type Yes = true[];

/** Come with replication and other services' secrets. */
type Later = 'Type' | 'ExternalSecretRotationMetadata' | 'ExternalSecretRotationRoleArn' | 'OwningService';
type Partners = 'ExternalSecretRotationMetadata' | 'ExternalSecretRotationRoleArn';

/** Compiles, or there is a difference. */
export type Held = [
  ...[InputIs<'secretsmanager:CreateSecret', aws.CreateSecretRequest, 'Type'>, OutputIs<'secretsmanager:CreateSecret', aws.CreateSecretResponse>],
  ...[InputIs<'secretsmanager:UpdateSecret', aws.UpdateSecretRequest, 'Type'>, OutputIs<'secretsmanager:UpdateSecret', aws.UpdateSecretResponse>],
  ...[InputIs<'secretsmanager:GetResourcePolicy', aws.GetResourcePolicyRequest>, OutputIs<'secretsmanager:GetResourcePolicy', aws.GetResourcePolicyResponse, 'ResourcePolicy'>],
  ...[InputIs<'secretsmanager:DescribeSecret', aws.DescribeSecretRequest>, OutputIs<'secretsmanager:DescribeSecret', aws.DescribeSecretResponse, Later>],
  ...[InputIs<'secretsmanager:ListSecrets', aws.ListSecretsRequest>, OutputIs<'secretsmanager:ListSecrets', aws.ListSecretsResponse>],
  ...[InputIs<'secretsmanager:DeleteSecret', aws.DeleteSecretRequest>, OutputIs<'secretsmanager:DeleteSecret', aws.DeleteSecretResponse>],
  ...[InputIs<'secretsmanager:RestoreSecret', aws.RestoreSecretRequest>, OutputIs<'secretsmanager:RestoreSecret', aws.RestoreSecretResponse>],
  ...[InputIs<'secretsmanager:RotateSecret', aws.RotateSecretRequest, Partners>, OutputIs<'secretsmanager:RotateSecret', aws.RotateSecretResponse>],
  ...[InputIs<'secretsmanager:CancelRotateSecret', aws.CancelRotateSecretRequest>, OutputIs<'secretsmanager:CancelRotateSecret', aws.CancelRotateSecretResponse>],
  ...[InputIs<'secretsmanager:ReplicateSecretToRegions', aws.ReplicateSecretToRegionsRequest>, OutputIs<'secretsmanager:ReplicateSecretToRegions', aws.ReplicateSecretToRegionsResponse>],
  ...[InputIs<'secretsmanager:RemoveRegionsFromReplication', aws.RemoveRegionsFromReplicationRequest>, OutputIs<'secretsmanager:RemoveRegionsFromReplication', aws.RemoveRegionsFromReplicationResponse>],
  ...[InputIs<'secretsmanager:StopReplicationToReplica', aws.StopReplicationToReplicaRequest>, OutputIs<'secretsmanager:StopReplicationToReplica', aws.StopReplicationToReplicaResponse>],
  ...[InputIs<'secretsmanager:TagResource', aws.TagResourceRequest>, InputIs<'secretsmanager:UntagResource', aws.UntagResourceRequest>],
  ...[InputIs<'secretsmanager:GetSecretValue', aws.GetSecretValueRequest>, OutputIs<'secretsmanager:GetSecretValue', aws.GetSecretValueResponse>],
  ...[InputIs<'secretsmanager:BatchGetSecretValue', aws.BatchGetSecretValueRequest>, OutputIs<'secretsmanager:BatchGetSecretValue', aws.BatchGetSecretValueResponse>],
  ...[InputIs<'secretsmanager:PutSecretValue', aws.PutSecretValueRequest, 'RotationToken'>, OutputIs<'secretsmanager:PutSecretValue', aws.PutSecretValueResponse>],
  ...[InputIs<'secretsmanager:ListSecretVersionIds', aws.ListSecretVersionIdsRequest>, OutputIs<'secretsmanager:ListSecretVersionIds', aws.ListSecretVersionIdsResponse>],
  ...[InputIs<'secretsmanager:UpdateSecretVersionStage', aws.UpdateSecretVersionStageRequest>, OutputIs<'secretsmanager:UpdateSecretVersionStage', aws.UpdateSecretVersionStageResponse>],
  ...[InputIs<'secretsmanager:GetRandomPassword', aws.GetRandomPasswordRequest>, OutputIs<'secretsmanager:GetRandomPassword', aws.GetRandomPasswordResponse>],
];
const held: Held extends Yes[] ? true : never = true;

it('has the fields of AWS’s client', () => {
  expect(held).toBe(true);
});

it('refuses by name what it does not offer', () => {
  expect(refusedOf(declarationOf('secretsmanager:CreateSecret').input).map(({ name }) => name)).toEqual(['Type']);
  expect(refusedOf(declarationOf('secretsmanager:RotateSecret').input).map(({ name }) => name)).toEqual(['ExternalSecretRotationMetadata', 'ExternalSecretRotationRoleArn']);
  expect(refusedOf(declarationOf('secretsmanager:UpdateSecret').input).map(({ name }) => name)).toEqual(['Type']);
  expect(refusedOf(declarationOf('secretsmanager:PutSecretValue').input).map(({ name }) => name)).toEqual(['RotationToken']);
});

it('answers with errors of AWS’s, and only with those of its own kind', () => {
  const known = ['ResourceNotFoundException', 'InvalidParameterException', 'InvalidRequestException', 'DecryptionFailure', 'EncryptionFailure', 'ResourceExistsException', 'LimitExceededException', 'InvalidNextTokenException',
    // Of our own operations that read a file.
    'FileNotReadableException'];
  for (const name of NAMES.filter((one) => one.startsWith('secretsmanager:'))) {
    const { errors } = declarationOf(name);
    expect(errors.filter((code) => !known.includes(code) || COMMON_ERRORS.some((common) => common === code))).toEqual([]);
  }
});
