import './base.css';
import './sessioncard.css';
