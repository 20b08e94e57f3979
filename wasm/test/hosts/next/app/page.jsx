'use client';
import { useEffect, useState } from 'react';
import { preload } from 'react-dom';
import { program } from '../../pages/program.js';

const MODULE = new URL('chatcore/core-chat.wasm', import.meta.url).href;

export default function Page() {
  preload(MODULE, { as: 'fetch', type: 'application/wasm', crossOrigin: 'anonymous' });
  const [answer, setAnswer] = useState('');
  useEffect(() => { program().then(setAnswer); }, []);
  return <p id="answer">{answer}</p>;
}
