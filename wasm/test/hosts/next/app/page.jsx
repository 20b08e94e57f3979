'use client';
import { useEffect, useState } from 'react';
import { program } from '../../pages/program.js';

export default function Page() {
  const [answer, setAnswer] = useState('');
  useEffect(() => { program().then(setAnswer); }, []);
  return <p id="answer">{answer}</p>;
}
