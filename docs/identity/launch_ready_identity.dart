/// Sign the client_reference_id of a Stripe payment link, so that the payer cannot type somebody else's.
///
/// Copy this file into the app's server (Dart 3, package:crypto 3). Never ship the key in a Flutter app or to a browser:
/// who has it can name anybody. The format, and what it is worth, is in identity.md beside this file.
library;

import 'dart:convert';

import 'package:crypto/crypto.dart';

/// Bytes of UTF-8: what Stripe's 200 characters leave for the user id.
const maxUserBytes = 114;

/// Characters of a key, at least.
const minKey = 32;

const _prefix = 'lr1_';
const _domain = 'launch-ready reference v1\u0000';

// No control, format or unassigned character, no lone surrogate, and of the spaces only the usual one.
final _printable = RegExp(r'^(?: |[^\p{C}\p{Z}])+$', unicode: true);

/// The client_reference_id that names [userId]. [key] is the identity secret's "current", as it is written there.
///
/// [ArgumentError] for a user id that is empty, not printable or too long, and for a key that is too short.
String signReference(String userId, String key) {
  if (!_printable.hasMatch(userId)) {
    throw ArgumentError('a user id must be a printable text that is not empty');
  }
  final said = utf8.encode(userId);
  if (said.length > maxUserBytes) {
    throw ArgumentError('a user id has at most $maxUserBytes bytes of UTF-8 here, got ${said.length}');
  }
  final characters = key.runes.length;
  if (characters < minKey) {
    throw ArgumentError('an identity key has at least $minKey characters, got $characters');
  }
  final mac = Hmac(sha256, utf8.encode(key)).convert(utf8.encode(_domain + userId)).bytes;
  return _prefix + _base64url(mac) + _base64url(said);
}

String _base64url(List<int> raw) => base64Url.encode(raw).replaceAll('=', '');
