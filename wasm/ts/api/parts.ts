// Parts of a message from URLs, bytes and Blobs.
import { invalidInput } from '../base/errors.js';
import { base64Of, ofDataUrl, typeOf } from '../base/media.js';
import type { AudioPart, Extra, FilePart, ImagePart, MediaSource, TextPart } from '../base/types.js';
import { isObject, said } from './kinds.js';

/**
 * An image, a file or audio that needs no reading: the text of a URL (`https:`, `data:` and others) or a `URL`, bytes (a
 * `Buffer`, too), or the id of a file that was uploaded to the provider before.
 */
export type Media = string | URL | ArrayBuffer | ArrayBufferView | { readonly fileId: string };

/** What has to be read first: a `Blob`, a `File` or the `Response` of a `fetch`. */
export interface ReadableMedia {
  arrayBuffer(): Promise<ArrayBuffer>;
  readonly type: string;
  readonly name?: string;
  readonly ok?: boolean;
  readonly status?: number;
  readonly headers?: { get(name: string): string | null };
}

/** Options of every part. */
export interface PartOptions {
  /** Fields that chatcore has no name for, such as `cache_control`. */
  extra?: Extra;
}

/** Options of a part with media. */
export interface MediaOptions extends PartOptions {
  /** The media type, such as `image/png`. By default that which the bytes begin with, else that of the Blob or `data:` URL, else that of the name. */
  mediaType?: string;
}

/** Options of an image. */
export interface ImageOptions extends MediaOptions {
  /** How closely the model should look, if the provider supports it: `low`, `high`, `auto`. */
  detail?: string;
}

/** Options of a file. */
export interface FileOptions extends MediaOptions {
  /** The file's name, which the model may see. By default that of a `File`. */
  name?: string;
}

/** Options of audio. */
export interface AudioOptions extends MediaOptions {
  /** The spoken text, if it is known. */
  transcript?: string;
}

/** A text, as a part of a message. `extra` may mark it for a provider's cache. */
export function textPart(text: string, options?: PartOptions): TextPart {
  if (typeof text !== 'string') throw invalidInput(`textPart got ${said(text)} instead of a text`);
  const { extra } = checked('textPart', options, []);
  return { type: 'text', text, ...set({ extra }) };
}

/**
 * An image, as a part of a message. A `Blob`, a `File` and a `Response` have to be read, so that the result is a promise.
 * Throws an InvalidInputError if there are no bytes, or if they are no image that chatcore knows and `mediaType` is missing.
 *
 * ```js
 * import { readFile } from 'node:fs/promises';
 * import { imagePart, LlmClient, textPart } from 'chatcore';
 *
 * const client = new LlmClient({ mock: true });
 * const photo = imagePart(await readFile('cat.png'), { detail: 'low' });
 * console.log(String(await client.ask([{ role: 'user', content: [textPart('What is in this picture?'), photo] }])));
 * ```
 */
export function imagePart(image: Media, options?: ImageOptions): ImagePart;
export function imagePart(image: ReadableMedia, options?: ImageOptions): Promise<ImagePart>;
export function imagePart(image: Media | ReadableMedia, options?: ImageOptions): ImagePart | Promise<ImagePart>;
export function imagePart(image: Media | ReadableMedia, given?: ImageOptions): ImagePart | Promise<ImagePart> {
  const options = checked('imagePart', given, ['detail', 'mediaType']);
  const { detail, extra } = options;
  return withSource('imagePart', 'image', image, options, (source) => ({ type: 'image', source, ...set({ detail, extra }) }));
}

/**
 * A document for the model to read, as a part of a message: a PDF, or another type that the provider accepts.
 *
 * ```js page
 * const [file] = input.files; // input: an `<input type="file">`
 * const messages = [{ role: 'user', content: [textPart('What does it say?'), await filePart(file)] }];
 * ```
 */
export function filePart(file: Media, options?: FileOptions): FilePart;
export function filePart(file: ReadableMedia, options?: FileOptions): Promise<FilePart>;
export function filePart(file: Media | ReadableMedia, options?: FileOptions): FilePart | Promise<FilePart>;
export function filePart(file: Media | ReadableMedia, given?: FileOptions): FilePart | Promise<FilePart> {
  const options = checked('filePart', given, ['name', 'mediaType']);
  const { extra, name = (file as Partial<ReadableMedia> | null)?.name } = options;
  return withSource('filePart', '', file, { ...options, name }, (source) => ({ type: 'file', source, ...set({ name, extra }) }));
}

/** Audio from the user, as a part of a message. */
export function audioPart(audio: Media, options?: AudioOptions): AudioPart;
export function audioPart(audio: ReadableMedia, options?: AudioOptions): Promise<AudioPart>;
export function audioPart(audio: Media | ReadableMedia, options?: AudioOptions): AudioPart | Promise<AudioPart>;
export function audioPart(audio: Media | ReadableMedia, given?: AudioOptions): AudioPart | Promise<AudioPart> {
  const options = checked('audioPart', given, ['transcript', 'mediaType']);
  const { transcript, extra } = options;
  return withSource('audioPart', 'audio', audio, options, (source) => ({ type: 'audio', source, ...set({ transcript, extra }) }));
}

/** The fields that are set. */
const set = <T extends object>(fields: T) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null)) as Partial<T>;

/** The options of a maker, which also may have `extra`. null counts as not set. */
function checked<T extends MediaOptions>(maker: string, options: T | null | undefined, names: readonly string[]): T {
  if (options == null) return {} as T;
  if (typeof options !== 'object') throw invalidInput(`${maker}: its options are ${said(options)}; they must be an object`);
  for (const name in options) {
    if (name !== 'extra' && !names.includes(name)) throw invalidInput(`${maker}: unknown option ${name}; it may have ${[...names, 'extra'].join(', ')}`);
  }
  if (options.mediaType != null && typeof options.mediaType !== 'string') throw invalidInput(`${maker}: mediaType is ${said(options.mediaType)}; it must be a text`);
  return options;
}

/** Media types by the endings of names, for files whose bytes do not tell. */
const BY_NAME: Readonly<Record<string, string>> = {
  pdf: 'application/pdf', txt: 'text/plain', md: 'text/markdown', csv: 'text/csv', html: 'text/html', json: 'application/json',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
};

function withSource<P>(
  maker: string, kind: string, media: Media | ReadableMedia, options: MediaOptions & { name?: string | undefined }, part: (source: MediaSource) => P,
): P | Promise<P> {
  const { mediaType, name } = options;
  const bytesOf = (bytes: Uint8Array, declared?: string): MediaSource => sourceOf(base64Of(bytes), declared);
  const sourceOf = (data: string, declared?: string): MediaSource => {
    if (!data) throw invalidInput(`${maker} got no bytes`);
    const type = mediaType ?? typeOf(data) ?? (declared || undefined) ?? BY_NAME[/\.(\w+)$/.exec(name ?? '')?.[1]?.toLowerCase() ?? ''];
    if (!type) throw invalidInput(`${maker}: the bytes do not tell their type; give mediaType, such as '${kind ? `${kind}/…` : 'application/pdf'}'`);
    if (!type.startsWith(kind)) throw invalidInput(`${maker}: the bytes are ${type}; use ${type.startsWith('image/') ? 'imagePart' : type.startsWith('audio/') ? 'audioPart' : 'filePart'}`);
    return { type: 'base64', media_type: type, data };
  };
  if (isObject(media) && 'arrayBuffer' in media) {
    if (media.ok === false) return Promise.reject(invalidInput(`${maker} got a response with the status ${media.status}`));
    // The `type` of a `Response` is no media type.
    const declared = (media.headers?.get('content-type') ?? media.type ?? '').split(';')[0]!.trim();
    const isKnown = declared.includes('/') && declared !== 'application/octet-stream';
    const coming = media.arrayBuffer().then((bytes) => part(bytesOf(new Uint8Array(bytes), isKnown ? declared : '')));
    // As JSON, a promise would be sent as `{}`.
    const toJSON = () => { throw invalidInput(`a part of the message is a promise; write await ${maker}(…)`); };
    return Object.defineProperty(coming, 'toJSON', { value: toJSON });
  }
  // Also one of another realm.
  if (Object.prototype.toString.call(media) === '[object ArrayBuffer]') return part(bytesOf(new Uint8Array(media as ArrayBuffer)));
  if (ArrayBuffer.isView(media)) return part(bytesOf(new Uint8Array(media.buffer, media.byteOffset, media.byteLength)));
  if (isObject(media) && 'fileId' in media) {
    if (typeof media.fileId !== 'string') throw invalidInput(`${maker}: fileId is ${said(media.fileId)}; it must be a text`);
    return part({ type: 'file', file_id: media.fileId, ...set({ media_type: mediaType }) });
  }
  const url = typeof media === 'string' || isObject(media) ? String(media) : '';
  if (/^data:/i.test(url)) {
    const inline = ofDataUrl(url);
    if (!inline) throw invalidInput(`${maker}: the data: URL is not valid; it is data:image/png;base64,… for base64`);
    return part(sourceOf(inline.base64, inline.type));
  }
  // No provider can read a file or a Blob of this host.
  const local = /^(file|blob):/i.exec(url)?.[0];
  if (local || !/^[a-z][a-z\d+.-]+:\S+$/i.test(url)) {
    throw invalidInput(`${maker} got ${local ? `a URL of this host (${local})` : typeof media === 'string' ? 'a text that is no URL' : said(media)}; give a URL (data:…;base64,… for base64), or bytes: `
      + `${maker}(await readFile(path))`);
  }
  return part({ type: 'url', url, ...set({ media_type: mediaType }) });
}
