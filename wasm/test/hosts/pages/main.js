import { program } from './program.js';

document.querySelector('#answer').textContent = await program();
